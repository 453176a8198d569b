module.exports = async () => 'nobody sees this';
