// Where the code of one capability is loaded so that it can be unloaded again. The rest of the host only knows this class.
using System;
using System.IO;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Threading;
using Switchyard.Capabilities;

namespace Switchyard.Host
{
    /// <summary>How an unload went.</summary>
    public sealed class Unloading
    {
        public bool Gone;
        public string Detail;
    }

    public abstract class LoadContext
    {
        public CapabilityRunner Runner { get; protected set; }
        public string[] Methods { get; protected set; }

        /// <summary>Gives the code back. Call Runner.Close before, and hold nothing of it.</summary>
        public abstract Unloading Unload();

        public static LoadContext Open(string entry, CapabilitySettings settings)
        {
            if (!File.Exists(entry)) throw new FileNotFoundException("there is no file '" + entry + "'");
#if NETCOREAPP
            return new CollectibleContext(entry, settings);
#else
            return new DomainContext(entry, settings);
#endif
        }
    }

#if NETCOREAPP
    /// <summary>
    /// .NET: a collectible load context. Types of the abstractions come from the default context, so they are the host's.
    /// </summary>
    sealed class CollectibleContext : LoadContext
    {
        const int MaxRounds = 10;
        const int PauseMs = 2;
        WeakReference seen;

        public CollectibleContext(string entry, CapabilitySettings settings) { Load(entry, settings); }

        [MethodImpl(MethodImplOptions.NoInlining)]
        void Load(string entry, CapabilitySettings settings)
        {
            var context = new Extension(entry);
            seen = new WeakReference(context);
            try
            {
                Runner = new CapabilityRunner();
                using (var code = new MemoryStream(File.ReadAllBytes(entry))) Methods = Runner.Start(context.LoadFromStream(code), settings);
            }
            catch
            {
                Runner = null;
                context.Unload();
                throw;
            }
        }

        public override Unloading Unload()
        {
            Begin();
            for (var round = 1; round <= MaxRounds; round++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                if (!seen.IsAlive) return new Unloading { Gone = true, Detail = "its context was collected in " + round + " rounds" };
                Thread.Sleep(PauseMs);
            }
            return new Unloading { Gone = false, Detail = "something still refers to its context: a thread, a static or a handler" };
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        void Begin()
        {
            Runner = null;
            ((System.Runtime.Loader.AssemblyLoadContext)seen.Target).Unload();
        }

        sealed class Extension : System.Runtime.Loader.AssemblyLoadContext
        {
            readonly System.Runtime.Loader.AssemblyDependencyResolver resolver;

            public Extension(string entry) : base(Path.GetFileName(entry), isCollectible: true)
            {
                resolver = new System.Runtime.Loader.AssemblyDependencyResolver(entry);
            }

            protected override Assembly Load(AssemblyName name)
            {
                // Null means the default context: the abstractions, and everything of .NET itself.
                var path = name.Name == typeof(ICapability).Assembly.GetName().Name ? null : resolver.ResolveAssemblyToPath(name);
                return path == null ? null : LoadFromAssemblyPath(path);
            }
        }
    }
#else
    /// <summary>
    /// Mono: an application domain of its own. Mono has no collectible contexts; a domain is unloaded as a whole, and
    /// calls into it are marshalled. A thread that runs native code, or never reaches a safe point, keeps it loaded.
    /// </summary>
    sealed class DomainContext : LoadContext
    {
        AppDomain domain;

        public DomainContext(string entry, CapabilitySettings settings)
        {
            var setup = new AppDomainSetup { ApplicationBase = AppDomain.CurrentDomain.BaseDirectory };
            domain = AppDomain.CreateDomain(settings.Name + "@" + settings.Version, null, setup);
            try
            {
                var type = typeof(CapabilityRunner);
                Runner = (CapabilityRunner)domain.CreateInstanceFromAndUnwrap(type.Assembly.Location, type.FullName);
                Methods = Runner.Load(entry, settings);
            }
            catch
            {
                Unload();
                throw;
            }
        }

        public override Unloading Unload()
        {
            Runner = null;
            try { AppDomain.Unload(domain); }
            catch (CannotUnloadAppDomainException error)
            {
                return new Unloading { Gone = false, Detail = "Mono could not unload its domain: " + error.Message };
            }
            domain = null;
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return new Unloading { Gone = true, Detail = "its application domain was unloaded" };
        }
    }
#endif
}
